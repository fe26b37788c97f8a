"""The web part: ``python -m benchmarks.web`` (``make bench-web``).

    overhead     in process: a bare Starlette app beside the same app with the plugin and databases that are never used
    contenders/  the apps that are put under load, each a file that stands alone
    servers      each of them under uvicorn, in a process of its own
    wrk          one run of the load generator; what it counted
    load         the rounds: all contenders in turn, one route after the other
    peers        an environment of their own for the peers that can't or need not be installed beside us
    targets      what we want, and whether it was reached
    report       figures into Markdown, and into a document between two comments

Ratios are taken within a round, in which all contenders ran right after each other.
"""
