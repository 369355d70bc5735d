-- Gives back those locks of a recovery that are still ours.
-- KEYS: the locks
-- ARGV: our token
for i = 1, #KEYS do
  if redis.pcall('GET', KEYS[i]) == ARGV[1] then redis.call('DEL', KEYS[i]) end
end
return 0
