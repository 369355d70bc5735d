-- May this job change its recovery now? Returns from the script with the reason when not. `judgeAssignment` in
-- documents/assignments.ts says the same in TypeScript.
-- KEYS 1, 2, 3: assignments, journal, id of the open journal; then the locks; then the claims on its targets
-- ARGV 1 to 5: our token, our recovery, our job's id ('' by hand: none is needed), the epoch of our order, how many
-- locks
local lastLock = math.min(#KEYS, 3 + tonumber(ARGV[5]))
for i = 4, lastLock do
  if redis.call('GET', KEYS[i]) ~= ARGV[1] then return 'not-locked' end
end
if ARGV[3] ~= '' then
  local text = redis.call('GET', KEYS[1])
  if not text then return 'unknown' end
  local assignments = cjson.decode(text)
  if tonumber(ARGV[4]) > assignments.epoch then return 'unknown' end
  if assignments.jobs[ARGV[2]] ~= ARGV[3] then return 'superseded' end
end
