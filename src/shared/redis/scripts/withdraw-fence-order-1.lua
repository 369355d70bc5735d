-- Takes an order to power a host off back, unless somebody took it.
-- KEYS: the order
-- Returns 0 when it was open: nobody will take it any more. Else 1: it was taken, or nobody knows, as it was lost.
if redis.call('GET', KEYS[1]) ~= 'open' then return 1 end
redis.call('DEL', KEYS[1])
return 0
