-- Takes the monitor's lease if nobody else has it; whoever does not get it is noted as standing by.
-- KEYS: lease, epoch, standby
-- ARGV: our lease, its life in ms, the least epoch less one, our name, for how many ms a standby counts
-- Returns the new epoch, or false. Time is Redis' own, and keeps the epoch growing when the stored one was lost.
-- include now.lua
local function isOther(key, wanted)
  local found = redis.call('TYPE', key).ok
  return found ~= wanted and found ~= 'none'
end
if isOther(KEYS[3], 'zset') then redis.call('DEL', KEYS[3]) end
if isOther(KEYS[2], 'string') then redis.call('DEL', KEYS[2]) end
-- What no monitor wrote would stand for ever: every lease runs out. Whoever holds this one prolongs it.
if redis.call('PTTL', KEYS[1]) == -1 then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
local held = isOther(KEYS[1], 'string') or redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then
  redis.call('ZADD', KEYS[3], now + ARGV[5], ARGV[4])
  redis.call('PEXPIRE', KEYS[3], ARGV[5])
  return false
end
local stored = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
local epoch = string.format('%.0f', math.max(stored + 1, now, ARGV[3] + 1))
redis.call('SET', KEYS[2], epoch)
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('ZREM', KEYS[3], ARGV[4])
return epoch
