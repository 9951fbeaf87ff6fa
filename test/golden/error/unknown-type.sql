SELECT 1::inte
