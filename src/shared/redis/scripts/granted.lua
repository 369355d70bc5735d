-- May this job change its recovery now? Returns from the script with the reason when not. `judgeWarrant` in
-- documents/assignments.ts says the same in TypeScript.
-- KEYS 1, 2: claim, mandate
-- ARGV 1 to 4: our token, our incident, our job's id ('' by hand: no mandate needed), the epoch of our order
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'no-claim' end
if ARGV[3] ~= '' then
  local text = redis.call('GET', KEYS[2])
  if not text then return 'unknown' end
  local mandate = cjson.decode(text)
  if tonumber(ARGV[4]) > mandate.epoch then return 'unknown' end
  if mandate.jobs[ARGV[2]] ~= ARGV[3] then return 'superseded' end
end
