SELECT rank() OVER (ORDER BY rank() OVER ()) FROM bid
