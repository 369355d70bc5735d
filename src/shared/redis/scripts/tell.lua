-- Sets `tell(stream, channel, capacity, event)`: appends an event and publishes it. What stands in the stream's place and takes
-- no event (a key of another type, a stream at its last possible id) is put aside for a week.
local function tell(stream, channel, capacity, event)
  local added = redis.pcall('XADD', stream, 'MAXLEN', '~', capacity, '*', 'event', event)
  if type(added) == 'table' and added.err then
    if not (string.find(added.err, 'WRONGTYPE') or string.find(added.err, 'exhausted')) then return added end
    redis.call('RENAME', stream, stream .. ':broken')
    redis.call('EXPIRE', stream .. ':broken', 604800)
    redis.call('XADD', stream, 'MAXLEN', '~', capacity, '*', 'event', event)
  end
  redis.call('PUBLISH', channel, event)
  return nil
end
