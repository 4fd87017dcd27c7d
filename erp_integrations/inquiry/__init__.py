"""Why isn't my payment here? One box, and the way of a payment up to where it got stuck."""
