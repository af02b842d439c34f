"""Product exports of Shopify: CSV with a row for each variant or extra image."""
