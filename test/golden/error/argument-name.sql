SELECT make_interval(dayz => 1)
