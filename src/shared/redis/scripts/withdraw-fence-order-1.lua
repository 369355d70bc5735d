-- Takes an order to power a host off back, unless somebody took it.
-- KEYS: the order
-- Returns 1 when it was taken, else 0: nobody will take it any more.
local order = redis.call('GET', KEYS[1])
if order and order ~= 'open' then return 1 end
redis.call('DEL', KEYS[1])
return 0
