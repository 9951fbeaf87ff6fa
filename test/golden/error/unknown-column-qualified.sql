SELECT b.prcie FROM bid b
