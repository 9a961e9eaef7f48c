"""What makes the site of the pages: diagrams, generated parts, the theme, and its checks."""
