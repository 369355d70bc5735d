-- Takes all locks of a recovery, or none. A target that the open recovery of another host fills is not to be had, also
-- when nobody works at it now: whoever continues that one comes for it. The leader's assignments tell that nobody will.
-- KEYS: the locks, that of the dead host first; the claims on its targets
-- ARGV: our token, for how long (ms), the dead host, how many locks, the key of the assignments (which are only read)
-- Returns 0: all are ours; else the number of the first lock or claim that somebody has, and the claim ('': a lock).
local lastLock = tonumber(ARGV[4])
for i = 1, lastLock do
  -- Every lock runs out; one that never would is nobody's, and does so from now on.
  if redis.call('PTTL', KEYS[i]) == -1 then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
  if redis.call('EXISTS', KEYS[i]) == 1 then return { i, '' } end
end
-- What is no claim at all claims nothing; assignments that cannot be read tell of nobody that he is not wanted.
local function read(key)
  local text = redis.pcall('GET', key)
  local isRead, found = pcall(cjson.decode, text)
  return isRead and type(found) == 'table' and found or {}, text
end
local jobs = read(ARGV[5]).jobs
for i = lastLock + 1, #KEYS do
  local by, claim = read(KEYS[i])
  local isWanted = by.byHand or type(jobs) ~= 'table' or jobs[by.recovery or '']
  if type(by.dead) == 'string' and by.dead ~= ARGV[3] and isWanted then return { i, claim } end
end
for i = 1, lastLock do redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[2]) end
return 0
