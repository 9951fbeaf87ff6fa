SELECT prcie FROM bid
