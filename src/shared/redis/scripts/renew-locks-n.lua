-- Prolongs the locks of a recovery.
-- KEYS: as granted.lua
-- ARGV: six for granted.lua, the locks' further life in ms
-- Returns 'granted', or why not.
-- include decoded.lua
-- include granted.lua
for i = 3, lastLock do redis.call('PEXPIRE', KEYS[i], ARGV[7]) end
return 'granted'
