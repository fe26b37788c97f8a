"""The apps that are put under load: the same routes, each written as its library's users write them.

    GET  /plain    answers "ok", no database
    GET  /row      one row by key, as JSON
    POST /rows     one insert, then 201
    POST /refused  one insert, then 409: nothing may be stored. For checking, not for measuring

Each file stands alone and imports nothing of ours but ``sqlspec`` where it is about that: it also runs where this
package can't be imported. ``DSN`` in the environment names the database; every pool has at most ten connections. All
keep one promise: where the answer is a success, COMMIT is done before its first byte is sent.
"""
