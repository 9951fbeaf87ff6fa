SELECT altogether_different FROM bid
