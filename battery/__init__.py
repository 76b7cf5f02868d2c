"""What narrows must survive: damaged files, hostile clients, kills, odd inputs; each part proves that it can fail."""
