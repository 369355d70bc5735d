-- May this job change its recovery now? Returns from the script with the reason when not. `judgeAssignment` in
-- documents/assignments.ts says the same in TypeScript.
-- Wants decoded.lua before it.
-- KEYS 1, 2: journal, id of the open journal; then the locks; then the claims on its targets
-- ARGV 1 to 6: our token, our recovery, our job's id ('' by hand: none is needed), the epoch of our order, how many
-- locks, the key of the assignments (not among KEYS, as an ACL would have to let whoever runs this write those)
local lastLock = math.min(#KEYS, 2 + tonumber(ARGV[5]))
local text = ''
for i = 3, lastLock do
  if redis.pcall('GET', KEYS[i]) ~= ARGV[1] then return 'not-locked' end
end
if ARGV[3] ~= '' then
  text = redis.pcall('GET', ARGV[6])
  local assignments = decoded(text)
  if not assignments or type(assignments.jobs) ~= 'table' then return 'unknown' end
  if tonumber(ARGV[4]) > (tonumber(assignments.epoch) or 0) then return 'unknown' end
  if assignments.jobs[ARGV[2]] ~= ARGV[3] then return 'superseded' end
end
