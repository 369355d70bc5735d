-- Puts an order to power a host off where whoever is to carry it out takes it.
-- KEYS: the order
-- ARGV: its life in ms
-- Returns the time in ms, as text.
-- include now.lua
redis.call('SET', KEYS[1], 'open', 'PX', ARGV[1])
return tostring(now)
