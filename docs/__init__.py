"""The documentation, and in `website` what makes a site of it."""
