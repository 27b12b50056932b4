"""The paper's tables and figures by name, each beside the numbers that the paper prints."""
