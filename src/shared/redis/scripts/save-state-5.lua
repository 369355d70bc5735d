-- Saves the monitor's state with the assignments and the status that follow from it, and tells the events: in one step,
-- and only while we lead, so that another monitor that took over is never overwritten.
-- KEYS: lease, state, assignments, stream, status
-- ARGV: our lease, state, assignments, channel, capacity of the stream, status, event…
-- Returns 1, or 0 when the lease is not ours any more.
-- include tell.lua
-- A key of another type is not ours either.
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('SET', KEYS[3], ARGV[3])
redis.call('SET', KEYS[5], ARGV[6])
for i = 7, #ARGV do
  local failed = tell(KEYS[4], ARGV[4], ARGV[5], ARGV[i])
  if failed then return failed end
end
return 1
