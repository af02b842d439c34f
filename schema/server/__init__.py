"""The platform under the domains: context, database threads, errors, ids, connections and transport."""
