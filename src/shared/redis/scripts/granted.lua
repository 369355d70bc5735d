-- May this job change its recovery now? Returns from the script with the reason when not. `judgeAssignment` in
-- documents/assignments.ts says the same in TypeScript.
-- KEYS 1, 2: lock, assignments
-- ARGV 1 to 4: our token, our recovery, our job's id ('' by hand: no assignments needed), the epoch of our order
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'not-locked' end
if ARGV[3] ~= '' then
  local text = redis.call('GET', KEYS[2])
  if not text then return 'unknown' end
  local assignments = cjson.decode(text)
  if tonumber(ARGV[4]) > assignments.epoch then return 'unknown' end
  if assignments.jobs[ARGV[2]] ~= ARGV[3] then return 'superseded' end
end
