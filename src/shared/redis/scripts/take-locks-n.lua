-- Takes all locks of a recovery, or none.
-- KEYS: the locks
-- ARGV: our token, for how long (ms)
-- Returns the number of the first one that somebody has, or 0: all are ours.
for i = 1, #KEYS do
  if redis.call('EXISTS', KEYS[i]) == 1 then return i end
end
for i = 1, #KEYS do redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[2]) end
return 0
