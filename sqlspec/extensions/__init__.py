"""Web plugins, one module per framework, on one core.

    outcome      options, and what they decide (pure)
    keys         under which keys sessions, connections and pools are found (pure)
    databases    the configs that a plugin serves, and the life of their pools
    requests     the sessions of one request
    asgi         the middleware
    starlette …  the plugins, which only wire

Only the plugins import their framework; none of them imports an adapter.
"""
