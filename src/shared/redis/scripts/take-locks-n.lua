-- Takes all locks of a recovery, or none. A target that the open recovery of another host fills is not to be had, also
-- when nobody works at it now: whoever continues that one comes for it. The leader's assignments tell that nobody will.
-- KEYS: the locks, that of the dead host first; the claims on its targets
-- ARGV: our token, for how long (ms), the dead host, how many locks, the key of the assignments (which are only read)
-- Returns 0: all are ours; else the number of the first lock or claim that somebody has, and the claim, if it is one.
-- include decoded.lua
local lastLock = tonumber(ARGV[4])
for i = 1, lastLock do
  -- Every lock runs out; one that never would is nobody's, and does so from now on.
  if redis.call('PTTL', KEYS[i]) == -1 then redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
  if redis.call('EXISTS', KEYS[i]) == 1 then return { i } end
end
local assignments = decoded(redis.pcall('GET', ARGV[5]))
local jobs = assignments and type(assignments.jobs) == 'table' and assignments.jobs
for i = lastLock + 1, #KEYS do
  local claim = redis.pcall('GET', KEYS[i])
  if claim then
    local by = decoded(claim)
    -- Of another type: as text, so that whoever asks can see that it is no claim.
    if not by then return { i, type(claim) == 'string' and claim or '(no text)' } end
    local isWanted = by.byHand or not jobs or jobs[by.recovery]
    if by.dead ~= ARGV[3] and isWanted then return { i, claim } end
  end
end
for i = 1, lastLock do redis.call('SET', KEYS[i], ARGV[1], 'PX', ARGV[2]) end
return 0
