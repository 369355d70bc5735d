-- Prolongs the locks of a recovery.
-- KEYS: as granted.lua
-- ARGV: five for granted.lua, the locks' further life in ms
-- Returns 'granted', or why not.
-- include granted.lua
for i = 4, lastLock do redis.call('PEXPIRE', KEYS[i], ARGV[6]) end
return 'granted'
