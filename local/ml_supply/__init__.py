"""What this repository and its images are made of, and what must not be in them. It builds and deploys nothing."""
