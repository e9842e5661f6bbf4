-- wrk asks for the 10,000 routes one after the other.
local index = 0
request = function()
  index = (index + 7919) % 10000
  return wrk.format("GET", "/api/v1/things/" .. index)
end
