"""What CI does with this repository: `.github/workflows/` and `.gitlab-ci.yml` say when, and call these commands."""
