-- Saves the journal of a recovery, that it is open, and that it fills its targets.
-- KEYS: as granted.lua
-- ARGV: six for granted.lua, journal, id, the claim, for how many seconds it counts ('0': until it is taken back)
-- Returns 'granted' and the assignments that say so ('' by hand), or why not: then nothing was saved.
-- include decoded.lua
-- include granted.lua
redis.call('SET', KEYS[1], ARGV[7])
redis.call('SET', KEYS[2], ARGV[8])
for i = lastLock + 1, #KEYS do
  if ARGV[10] == '0' then redis.call('SET', KEYS[i], ARGV[9])
  else redis.call('SET', KEYS[i], ARGV[9], 'EX', ARGV[10]) end
end
return { 'granted', text }
