SELECT '{}'::map<text, int>
