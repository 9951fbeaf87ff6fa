SELECT nth_value(1, 0) OVER ()
