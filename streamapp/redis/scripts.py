"""The store's Lua scripts, which run inside Redis, so that no other command runs between their steps."""

from streamapp.state.store import PARKED, PENDING

# One call of a script serves a whole batch: KEYS are its hashes, and ARGV[1] is the request for each, in MessagePack.
# A key of another type fails alone, with an error of its own; a failure of the server fails the whole call.
READ = """
local answers = {}
for i, key in ipairs(KEYS) do answers[i] = redis.pcall('HGETALL', key) end
return answers
"""

LIVES = """
local answers = {}
for i, key in ipairs(KEYS) do answers[i] = redis.pcall('PTTL', key) end
return answers
"""

_OWES = """
local function owes(key)
  for _, field in ipairs(redis.pcall('HKEYS', key)) do
    if string.sub(field, 1, 3) == '_o:' then return true end
  end
  return false
end
"""

# Request: token seen, new token, ttl in ms (0: for ever), whether to keep, {field, value, ...} to set, fields to unset.
# A client repeats a call whose reply was lost, so its own token in the hash means success too. It is written again,
# because WAIT covers only the writes of its own connection.
# The hash itself decides whether anything is pending: a failover may have restored an announcement that its reader
# saw confirmed.
COMMIT = (
    _OWES
    + """
local function commit(key, seen, token, ttl, keep, put, drop)
  local stored = redis.pcall('HGET', key, '_t')
  if type(stored) == 'table' then return stored end
  if stored == token then redis.call('HSET', key, '_t', token) return 1 end
  if (stored or '') ~= seen then return 0 end
  redis.call('HSET', key, '_t', token, unpack(put))
  if #drop > 0 then redis.call('HDEL', key, unpack(drop)) end
  if keep or ttl == 0 or owes(key) then redis.call('PERSIST', key) else redis.call('PEXPIRE', key, ttl) end
  return 1
end
local answers = {}
for i, asked in ipairs(cmsgpack.unpack(ARGV[1])) do answers[i] = commit(KEYS[i], unpack(asked)) end
return answers
"""
)

# Request: ttl in ms (0: for ever), {id, mark, ...} of those sent, {id, mark, ...} of those to park.
CONFIRM = (
    _OWES
    + """
local function take_off(key, announcements, park)
  for i = 1, #announcements, 2 do
    local field, mark = '_o:' .. announcements[i], announcements[i + 1]
    local body = redis.pcall('HGET', key, field)
    if type(body) == 'string' and string.sub(body, 1, #mark) == mark then
      if park then redis.call('HSET', key, '_x:' .. announcements[i], body) end
      redis.call('HDEL', key, field)
    end
  end
end
local function confirm(key, ttl, sent, parked)
  take_off(key, sent, false)
  take_off(key, parked, true)
  if ttl ~= 0 and not owes(key) then redis.call('PEXPIRE', key, ttl) end
end
for i, asked in ipairs(cmsgpack.unpack(ARGV[1])) do confirm(KEYS[i], unpack(asked)) end
return {}
"""
)

# Request: ttl in ms, members to add.
ADD = """
local function add(key, ttl, members)
  local added = redis.pcall('SADD', key, unpack(members))
  if type(added) == 'table' then return added end
  redis.call('PEXPIRE', key, ttl)
  return 1
end
local answers = {}
for i, asked in ipairs(cmsgpack.unpack(ARGV[1])) do answers[i] = add(KEYS[i], unpack(asked)) end
return answers
"""

assert PENDING == "_o:"  # noqa: S101 - the scripts above contain both as text
assert PARKED == "_x:"  # noqa: S101
