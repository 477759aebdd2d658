module ml-platform/toolchains/pause

go 1.26.0
