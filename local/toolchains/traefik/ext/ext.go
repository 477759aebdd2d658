// Package ext is the extension point that Traefik leaves to its commercial builds; here it is empty.
package ext

// HTTP extends the dynamic HTTP configuration with nothing.
type HTTP struct{}

// Router extends the dynamic router configuration with nothing.
type Router struct{}
