SELECT CAST('[1,2' AS numrange)
