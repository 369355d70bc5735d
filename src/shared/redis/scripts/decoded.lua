-- Sets `decoded(text)`: a JSON object as a table; nil for anything else: whoever wrote it may be nobody of ours.
local function decoded(text)
  if type(text) ~= 'string' then return nil end
  local isJson, found = pcall(cjson.decode, text)
  return isJson and type(found) == 'table' and found or nil
end
