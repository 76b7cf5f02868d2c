"""The explorer: a page in the browser that asks this process's models and draws what they answer."""
