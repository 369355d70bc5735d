-- Saves the journal of a recovery, that it is open, and that it fills its targets.
-- KEYS: as granted.lua
-- ARGV: five for granted.lua, journal, id, the claim, for how many seconds it counts ('0': until it is taken back)
-- Returns 'granted', or why not: then nothing was saved.
-- include granted.lua
redis.call('SET', KEYS[2], ARGV[6])
redis.call('SET', KEYS[3], ARGV[7])
for i = lastLock + 1, #KEYS do
  if ARGV[9] == '0' then redis.call('SET', KEYS[i], ARGV[8])
  else redis.call('SET', KEYS[i], ARGV[8], 'EX', ARGV[9]) end
end
return 'granted'
