"""What runs the policies: it reads resources, applies rules, exemptions and settings, and answers the Pulumi engine."""
