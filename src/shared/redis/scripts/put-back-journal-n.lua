-- Puts a journal back that Redis lost, unless somebody else works at the recovery, or another journal is there.
-- KEYS: lock, journal, id of the open journal; then the claims on its targets
-- ARGV: our token, journal, id, the claim
-- Returns 1, or 0 when the lock is somebody else's.
local owner = redis.pcall('GET', KEYS[1])
if owner and owner ~= ARGV[1] then return 0 end
if redis.call('EXISTS', KEYS[2], KEYS[3]) == 0 then
  redis.call('SET', KEYS[2], ARGV[2])
  redis.call('SET', KEYS[3], ARGV[3])
  for i = 4, #KEYS do redis.call('SET', KEYS[i], ARGV[4], 'NX') end
end
return 1
