"""The registry: @world("name") makes a World, @case("name") is one case in it."""
import collections

Case = collections.namedtuple("Case", "name world run alone")
cases = []
worlds = {}


def world(name):
    def add(f):
        worlds[name] = f
        return f
    return add


def case(world_name, alone=False):
    def add(f):
        cases.append(Case(f.__name__, world_name, f, alone))
        return f
    return add
