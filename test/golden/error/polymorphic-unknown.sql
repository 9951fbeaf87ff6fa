SELECT to_jsonb('x')
