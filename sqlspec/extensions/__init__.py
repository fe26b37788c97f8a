"""Web plugins, one module per framework, on one core.

    outcome      options, and what they decide (pure)
    keys         under which keys sessions, connections and pools are found (pure)
    correlation  the id and the route of a request
    shown        values of users in messages (pure)
    databases    the configs that a plugin serves, and the life of their pools
    requests     the sessions of one request
    places       where such a session may be used: in which event loop, in which thread
    threads      where sync sessions do what blocks
    asgi         the middleware
    failures     who answers a request whose COMMIT failed
    starlette …  the plugins, which only wire

Only ``failures`` and the plugins import their framework; none of them imports an adapter.
"""
