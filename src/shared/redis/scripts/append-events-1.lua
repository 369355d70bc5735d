-- Appends events to the stream and publishes them.
-- KEYS: stream
-- ARGV: channel, capacity of the stream, event…
-- Returns 1.
-- include tell.lua
for i = 3, #ARGV do
  local failed = tell(KEYS[1], ARGV[1], ARGV[2], ARGV[i])
  if failed then return failed end
end
return 1
