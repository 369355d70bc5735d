-- Prolongs the locks of a recovery.
-- KEYS: as granted.lua
-- ARGV: four for granted.lua, the locks' further life in ms
-- Returns 'granted', or why not.
-- include granted.lua
for i = 4, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[5]) end
return 'granted'
