"""Events as safe, readable text, and the transcript that can be shown again."""
