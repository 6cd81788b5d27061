"""All tables together, for what has to know each of them. Every module of models is imported here."""

from __future__ import annotations

import store.knowledge_models
import store.models
import store.staff_models
import store.teaching_models
import store.ticket_models

TABLES = store.models.Base.metadata
