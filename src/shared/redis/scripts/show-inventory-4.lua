-- Shows a refresh: its hosts, and the generation of servers that was written before. It shows whole, or nothing changes: a
-- Redis that failed over may have lost the beginning of what was written. The generation before stays for a while.
-- KEYS: hosts, instances, the new generation's servers, the servers as an earlier version kept them
-- ARGV: hosts, instances, number of fields, what the key of a generation begins with, how long the former one stays (ms)
-- Returns 1, or 0 when the generation is not whole.
if redis.pcall('HLEN', KEYS[3]) ~= tonumber(ARGV[3]) then return 0 end
local before = redis.pcall('GET', KEYS[2])
redis.call('PERSIST', KEYS[3])
redis.call('SET', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], ARGV[2])
redis.call('DEL', KEYS[4])
local generation = type(before) == 'string' and string.match(before, '"generation":%s*"([^"]+)"')
local replaced = generation and ARGV[4] .. generation
if replaced and replaced ~= KEYS[3] then redis.call('PEXPIRE', replaced, ARGV[5]) end
return 1
